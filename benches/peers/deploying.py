"""How other tools create a stack: a command, and the folder that it runs in.

Each takes the template's path and the stack's name.
"""


def awscli(bench, template, name):
    aws = bench.peers.command("awscli", "aws")
    return [aws, "cloudformation", "deploy", "--template-file", template, "--stack-name", name], None


def sam(bench, template, name):
    command = bench.peers.command("sam", "sam")
    return [command, "deploy", "--template-file", template, "--stack-name", name, "--no-confirm-changeset"], None


def sceptre(bench, template, name):
    project = bench.files / "sceptre" / name
    for folder in ("config", "templates"):
        (project / folder).mkdir(parents=True, exist_ok=True)
    (project / "templates/stack.yaml").write_text(template.read_text())
    (project / "config/config.yaml").write_text("project_code: bench\nregion: eu-west-1\n")
    (project / "config/stack.yaml").write_text(f"template: {{type: file, path: stack.yaml}}\nstack_name: {name}\n")
    return [bench.peers.command("sceptre", "sceptre"), "launch", "--yes", "stack.yaml"], project

"""Packages that nobody here wrote, imported from each store by a Python that has nothing but rstack installed."""

import pytest

# Each program uses a good part of its package and checks what comes out; then nothing of it may lie on this machine.
END = """
import os, sys
for name, module in list(sys.modules.items()):
    if name.split(".")[0] in {names}:
        spec = module.__spec__
        assert type(spec.loader).__module__.startswith("rstack.") or spec.loader is None, (name, spec)
        assert not os.path.exists(spec.origin or "/nowhere"), (name, spec.origin)
        loaded = True
assert loaded
print("done")
"""

PROGRAMS = {
    "networkx": """
import networkx as nx
assert nx.__version__ == "3.4.2"
graph = nx.karate_club_graph()
assert graph.number_of_nodes() == 34 and nx.is_connected(graph)
assert nx.shortest_path(graph, 0, 33) in ([0, 8, 33], [0, 13, 33], [0, 19, 33], [0, 31, 33])
tree = nx.minimum_spanning_tree(graph)
assert nx.is_tree(tree)
directed = nx.DiGraph([(0, 1, {"capacity": 3}), (0, 2, {"capacity": 2}), (1, 3, {"capacity": 2}), (2, 3, {"capacity": 2})])
assert nx.maximum_flow_value(directed, 0, 3) == 4
assert [len(part) for part in nx.community.louvain_communities(graph, seed=1)]
assert nx.parse_graphml("".join(nx.generate_graphml(nx.path_graph(4)))).number_of_edges() == 3
assert list(nx.topological_sort(directed))[0] == 0
""",
    "sympy": """
import sympy as sp
x, y = sp.symbols("x y")
assert sp.integrate(sp.sin(x) ** 2, (x, 0, sp.pi)) == sp.pi / 2
assert sp.solve(x ** 2 - 5 * x + 6, x) == [2, 3]
assert sp.factor(x ** 3 - y ** 3) == (x - y) * (x ** 2 + x * y + y ** 2)
assert sp.diff(sp.exp(x * y), x) == y * sp.exp(x * y)
assert sp.Matrix([[1, 2], [3, 4]]).det() == -2
assert sp.latex(sp.Rational(1, 2) * sp.sqrt(x)) == r"\\frac{\\sqrt{x}}{2}"
assert str(sp.N(sp.pi, 30)) == "3.14159265358979323846264338328"
assert sp.lambdify(x, x ** 2 + 1)(3) == 10
assert sp.limit(sp.sin(x) / x, x, 0) == 1
assert sp.parse_expr("2*x + 1").subs(x, 3) == 7
assert sp.isprime(2 ** 61 - 1)
""",
    "jinja2": """
import jinja2
from jinja2.sandbox import SandboxedEnvironment
templates = {
    "base": "<h1>{% block title %}{% endblock %}</h1>",
    "page": "{% extends 'base' %}{% block title %}{{ name | e }} {% for n in range(3) %}{{ n }}{% endfor %}{% endblock %}",
}
environment = jinja2.Environment(loader=jinja2.DictLoader(templates))
assert environment.get_template("page").render(name="<b>") == "<h1>&lt;b&gt; 012</h1>"
macro = environment.from_string("{% macro twice(x) %}{{ x * 2 }}{% endmacro %}{{ twice(21) }}")
assert macro.render() == "42"
try:
    SandboxedEnvironment().from_string("{{ ().__class__.__bases__ }}").render()
except jinja2.exceptions.SecurityError:
    pass
else:
    raise AssertionError
# The accelerator of MarkupSafe is compiled, so it stays where it is, and its own way without it is taken.
import markupsafe
assert markupsafe.Markup("<i>%s</i>") % "<" == "<i>&lt;</i>"
""",
    "rich": """
import io
from rich.console import Console
from rich.markdown import Markdown
from rich.syntax import Syntax
from rich.table import Table
from rich.traceback import Traceback
from rich.tree import Tree
console = Console(file=io.StringIO(), width=60, force_terminal=True, color_system="truecolor", record=True)
table = Table("name", "value", title="one")
table.add_row("pi", "3.14")
tree = Tree("root")
tree.add("leaf")
console.print(table, tree, Markdown("# Title\\n\\n* point\\n\\n`code`"), Syntax("def f(): return 1", "python"))
try:
    from rich.progress import Progress
    Progress().update("no such task")
except KeyError:
    console.print(Traceback())
text = console.export_text()
assert "3.14" in text and "leaf" in text and "def f" in text, text
# Its own source, shown from the store.
assert "KeyError: 'no such task'" in text and "task = self._tasks[task_id]" in text, text
""",
    "attr": """
import attr
import attrs
from importlib.metadata import version

@attrs.define
class Point:
    x: int = attrs.field(validator=attrs.validators.instance_of(int))
    y: int = attrs.field(default=0, converter=int)

assert attrs.asdict(Point(1, "2")) == {"x": 1, "y": 2}
assert attrs.evolve(Point(1), y=5) == Point(1, 5)
try:
    Point("one")
except TypeError:
    pass
else:
    raise AssertionError

@attr.s(frozen=True, order=True)
class Old:
    a = attr.ib(default=attr.Factory(list))

assert Old([1]) < Old([2])
assert version("attrs") == attr.__version__ == "26.1.0"
""",
}


# What differs between interpreters does not differ between stores.
ONE_EVERYWHERE = ["redis", *(pytest.param(store, marks=pytest.mark.once) for store in ("s3", "dynamodb"))]


@pytest.mark.parametrize("store", ONE_EVERYWHERE)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_real_package_works_from_a_store(packages, bare_python, store, name):
    end = END.replace("{names}", repr({name, *{"attr": ("attrs",), "rich": ("pygments", "markdown_it")}.get(name, ())}))
    # As a file: rich shows it in its traceback.
    bare_python.write("program.py", PROGRAMS[name] + end)
    words = ["-m", "rstack", "run", "--source", packages.url(store), "program.py"]
    finished = bare_python.run(*words, timeout=110)
    assert finished.stdout == "done\n", finished.stderr
    left = [path.name for path in bare_python.folder.rglob("*")]
    assert left == ["program.py"]

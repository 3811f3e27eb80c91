"""A loopback HTTP server that passes requests on and notes when which action was asked for."""

import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import measure


class Counting:
    def __init__(self, upstream: str):
        self.asked, self.answered, self.last_answered = [], threading.Condition(), []
        counting = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body are two writes; otherwise the second waits for a delayed acknowledgement.
            disable_nagle_algorithm = True

            def pass_on(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                actions = urllib.parse.parse_qs(body.decode("latin-1")).get("Action", [])
                counting.asked.extend((time.perf_counter(), action) for action in actions)
                headers = {key: value for key, value in self.headers.items() if key.lower() != "host"}
                request = urllib.request.Request(upstream + self.path, body or None, headers, method=self.command)
                try:
                    answer = urllib.request.urlopen(request)
                except urllib.error.HTTPError as error:
                    answer = error
                content = answer.read()
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers.get("Content-Type", "text/xml"))
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                with counting.answered:
                    counting.last_answered = actions
                    counting.answered.notify_all()

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = pass_on

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def times(self, *actions: str) -> list[float]:
        """When one of these was asked for, by `time.perf_counter`."""
        return [at for at, action in self.asked if action in actions]

    def wait_for_answer(self, *actions: str):
        """Until one of these is answered next."""
        with self.answered:
            self.last_answered = []
            if not self.answered.wait_for(lambda: set(actions) & set(self.last_answered), timeout=60):
                raise measure.Failed(f"{' or '.join(actions)} was not asked for within a minute")

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

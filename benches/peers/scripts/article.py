"""Imports as the article does, from Redis: article.py URL AREA MODULE

A finder behind all others that asks the store for every name, whether it is there and then for its content, and compiles
what it gets.
"""

import importlib.abc
import importlib.machinery
import sys

import redis

url, area, module = sys.argv[1:]
client = redis.from_url(url)


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        base = f"{area}/{name.replace('.', '/')}"
        for key in (f"{base}.py", f"{base}/__init__.py"):
            if client.exists(key):
                return importlib.machinery.ModuleSpec(name, self, origin=key, is_package=key.endswith("__init__.py"))
        return None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(client.get(module.__spec__.origin).decode(), module.__dict__)


sys.meta_path.append(Finder())
__import__(module)

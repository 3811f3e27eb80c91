"""Found first when PYTHONPATH was set by rstack: switches imports on, then gives way to any other sitecustomize.

Any Python may start as a child of one that imports with rstack, so this has to be valid for all of them, also for those
that are old or have no rstack.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def give_way():  # type: () -> None
    """Runs the next sitecustomize as if this one were not there; whatever that raises is its own matter."""
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) != HERE]
    this = sys.modules.pop(__name__)
    try:
        import sitecustomize  # type: ignore[import-not-found, unused-ignore]  # noqa: F401
    except ImportError:
        error = sys.exc_info()[1]
        if getattr(error, "name", __name__) != __name__:
            raise
    finally:
        # The import that led here ends by looking for its module.
        sys.modules.setdefault(__name__, this)


try:
    from rstack._startup import switch_on
except (ImportError, SyntaxError):
    pass
else:
    switch_on()

give_way()

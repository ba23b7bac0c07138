"""The main program of the workers of `nndsl verify`. (A module that is the main program is there twice, and so are its
classes: the work itself is in `verify_job`.)"""

from __future__ import annotations

from nndsl.interop.verify_job import work
from nndsl.interop.worker import serve

if __name__ == "__main__":
    serve(work)

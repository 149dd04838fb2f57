"""JupyterLab as a program, without a grammar of all IRIs, which takes seconds to be made."""

import runpy

from notebooks.course.execution import load_nbformat

if __name__ == "__main__":
    load_nbformat()  # and jsonschema with it, which would take the grammar along
    runpy.run_module("jupyterlab", run_name="__main__")

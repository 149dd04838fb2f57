"""The course: its notebooks; their code is in ``notebooks.course``."""

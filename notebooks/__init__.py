"""The course: fifteen notebooks; their code is in ``notebooks.course``."""

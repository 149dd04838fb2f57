"""The course: thirteen notebooks; their code is in ``notebooks.course``."""

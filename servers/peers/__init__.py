"""Other people's ways to serve, to be measured beside ours.

Rule of this room: no code of ours but ``wire``. ``baselines`` keep our contract and say our ready
line; each folder of ``shelf`` is a foreign server as its peer file describes it
(``python -m loadtests --server NAME``), and may be copied for one of your own.
"""

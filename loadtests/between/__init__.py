"""What stands in between: which technique gets through which intermediary, tried with the real one.

Rules of this room:

* every intermediary is a folder of ``shelf``: how it is started, its configuration as it is
  distributed, and one that is set for push. What cures is the difference of the two files, so no
  line is recommended that was not tried;
* everything runs at once in a network of its own, where ports 80 and 443 are ours, and it ends
  with us;
* what happened is written down as it was seen (``crossing``); what that means is said by a pure
  function (``judging``) that sees the same way with nothing in between.

``python -m loadtests between`` is the command.
"""

"""``python -m servers.relay``: a relay and its door in a process of their own."""

from servers.relay.door import main

if __name__ == "__main__":
    main()

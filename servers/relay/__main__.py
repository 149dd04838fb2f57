"""``python -m servers.relay``: a relay and its control address in a process of their own."""

from servers.relay.command_line import main

if __name__ == "__main__":
    main()

"""`python -m fleet_server` is the same as `fleet`."""

from fleet_server.cli import main

if __name__ == "__main__":
    main()

"""`python -m provisioning`, the same as the console script `station`."""

from provisioning.cli import main

main()

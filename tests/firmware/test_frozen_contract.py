"""The contract is frozen: every example that was published stays as it is; new ones may be added.

docs/decisions/0010-the-contract-is-frozen.md says why, and what may still grow.
"""

import hashlib
import json
from pathlib import Path

import pytest

VECTORS = json.loads((Path(__file__).resolve().parents[2] / "docs/protocol-vectors.json").read_text("utf-8"))
# First 16 digits of the SHA-256 of each example, as JSON with sorted keys, in their order.
FROZEN = json.loads((Path(__file__).with_name("frozen_contract.json")).read_text("utf-8"))


def digest(example: object) -> str:
    return hashlib.sha256(json.dumps(example, sort_keys=True).encode()).hexdigest()[:16]


@pytest.mark.parametrize("what", FROZEN)
def test_no_published_example_was_altered_or_removed(what: str) -> None:
    there = {digest(example) for example in VECTORS[what]}
    gone = [number for number, known in enumerate(FROZEN[what]) if known not in there]
    assert not gone, f"examples {gone} of {what} changed: kiosks and journals in the field rely on them"

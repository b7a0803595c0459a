# Everything a newcomer needs: `make run` shows Hymiö, `make test` proves it. `make help` lists the rest.
PYTHON ?= python3
BIN := .venv/bin
export PYTHONDONTWRITEBYTECODE :=# the tests start hundreds of programs: none should be compiled anew each time

.PHONY: help run test check full torture lint bench image pictures hardware setup clean

help:  ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

run:  ## fleet server, broker and three virtual kiosks on this machine; HTTP_PORT, MQTT_PORT and DATA_DIR are honoured
	@$(PYTHON) tools/setup_venv.py run
	@exec $(BIN)/fleet demo

setup:
	@$(PYTHON) tools/setup_venv.py dev
	@tools/debian_parts.sh

test: setup lint  ## all tests with the real parts: MicroPython, Mosquitto, PostgreSQL, Chromium
	$(BIN)/pytest -n 4 --dist loadgroup

# The table takes this run's rows in the place of those of the same tests; others stay.
PART ?= tests
NOTES = $(CURDIR)/build/evidence/$(1)-$(subst /,-,$(PART)).jsonl
define scaled
	@mkdir -p build/evidence && rm -f "$(call NOTES,$(1))"
	HYMIO_EFFORT=$(1) HYMIO_EVIDENCE="$(call NOTES,$(1))" $(BIN)/pytest -n 2 --dist loadgroup $(2) $(PART)
	$(BIN)/python tools/write_reliability.py "$(call NOTES,$(1))"
endef

full: setup lint  ## all tests, with more random lives and faults: an hour or two. PART=tests/simulator does a part
	$(call scaled,full,)

torture: setup  ## the tests that scale, at full length: most of a day; HYMIO_SEED=n tries others. Both write the table of docs/reliability.md
	$(call scaled,torture,-m scales)

check: setup lint  ## lint and the tests that take seconds each, about ten minutes in all
	$(BIN)/pytest -n 2 --dist loadgroup -m "not slow and not e2e"

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python tools/check_firmware_types.py

bench: setup  ## the figures, each beside its limit or peer; also in bench.json
	$(BIN)/python -m tests.bench

image: setup  ## a kiosk's flash image, build/kiosk.img, from IDENTITY=kiosk.json (`fleet device create Lobby --out kiosk.json`)
	@test -f "$(IDENTITY)" || { echo "make image IDENTITY=kiosk.json: first make one with: .venv/bin/fleet device create Lobby --out kiosk.json"; exit 1; }
	@mkdir -p build
	$(BIN)/station image --identity "$(IDENTITY)" --out build/kiosk.img

pictures: setup  ## the pictures of README and guide, taken from the running thing
	$(BIN)/python tools/pictures.py
	$(BIN)/python tools/technician_pictures.py

hardware: setup  ## the kiosks' wiring, parts, power budget, cases and pin tables, from hardware/*/board.toml; needs graphviz, openscad, xvfb
	$(BIN)/pip install -q -c constraints.txt --group hardware
	$(BIN)/python -m hardware

clean:  ## forget .venv and caches, keep data/
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis bench.json

# Aliases; where there is no make, `python3 dev.py run` and so on do the same.
.PHONY: run test lint check migrations-check

run:
	@python3 dev.py run $(ARGS)

test:
	@python3 dev.py test $(ARGS)

lint:
	@python3 dev.py lint

check:
	@python3 dev.py check

migrations-check:
	@python3 dev.py migrations-check

# Fiche. `make help` explains itself from the comments behind the targets.
SHELL := bash
.DEFAULT_GOAL := help
PY := .venv/bin/python
# Modules are compiled once, whatever the machine prefers: the product starts by the second, the suite many times.
unexport PYTHONDONTWRITEBYTECODE

help: ## Cette aide
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

run: setup-run ## Le produit entier en un processus ; affiche l'adresse et comment entrer
	@.venv/bin/fiche dev

demo: setup-run ## Le même, avec une entreprise de démonstration
	@.venv/bin/fiche dev --demo

setup-run:
	@scripts/setup run

setup-dev:
	@scripts/setup dev

# Two at once: the suite waits for its servers as often as for the processor.
PARALLEL := -n 2 --dist loadscope --no-loadscope-reorder

test: setup-dev lint ## Tout : lint, types, toute la suite sur de vrais serveurs, puis les autres Python
	@$(PY) -m pytest $(PARALLEL)
	@scripts/matrix

soak: setup-dev ## Un consommateur en retard d’un million d’événements, mémoire mesurée (une demi-heure ou plus)
	@FICHE_SOAK_EVENTS=1000000 $(PY) -m pytest tests/chassis/events/test_faults.py -k far_behind

faults: setup-dev ## Chaque panne sous charge, sur de vrais serveurs : rien d’acquitté n’est perdu (ARGS="--only RabbitMQ")
	@$(PY) -W ignore -m tests.faults $(ARGS)

merge-soak: setup-dev ## Fusions au hasard, des milliers de pas, services tués et événements brouillés (FICHE_MERGE_RUNS, _STEPS, _RACES)
	@FICHE_MERGE_RUNS=$${FICHE_MERGE_RUNS:-40} FICHE_MERGE_STEPS=$${FICHE_MERGE_STEPS:-50} \
		FICHE_MERGE_RACES=$${FICHE_MERGE_RACES:-100} $(PY) -m pytest tests/merge -k "stateful or races" -o timeout=0

axe: setup-dev ## Ce que dit axe de chaque page et de chaque état, aux deux largeurs et dans les deux modes
	@FICHE_AXE_ALL=1 $(PY) -m pytest tests/browser/walk

stack: setup-dev ## Le produit en processus séparés, sur de vrais serveurs privés
	@$(PY) -m tests.support.stack

unit: setup-dev ## Les tests sans serveur externe, sur chaque Python 3.11 à 3.13 trouvé
	@$(PY) -m pytest $(PARALLEL) -m "not broker and not browser"
	@scripts/matrix

lint: setup-dev ## Vérifie la forme, les types et les imports
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-cache

format: setup-dev ## Met en forme
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

migration: setup-dev ## Écrit une migration : make migration s=clients m="message" (base par FICHE_DATABASE_URL)
	@$(PY) -m chassis.migrations revision $(s) "$(m)"

schemas: setup-dev ## Réécrit les schémas JSON des événements
	@$(PY) scripts/schemas.py

release-schemas: setup-dev ## Fige les schémas publiés sous la version de pyproject.toml (à la publication)
	@$(PY) scripts/schemas.py release

bench: setup-dev ## Vitesse de la pile, en multiples du plancher mesuré dans la même passe (docs/performance.md)
	@$(PY) -W ignore -m bench $(ARGS)

screenshots: setup-dev ## Captures d’écran de chaque page (docs/screenshots)
	@$(PY) -m scripts.screenshots $(ARGS)

lock: ## Réécrit les fichiers de verrouillage
	@scripts/lock

clean: ## Enlève ce qui se refait (pas var/)
	@rm -rf .venv .venv-3.* .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build *.egg-info \
		node_modules gateway/web/static/vendor

.PHONY: help run demo setup-run setup-dev test soak faults merge-soak axe stack unit lint format migration schemas release-schemas bench screenshots lock clean

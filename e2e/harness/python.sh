# Finds the Python that has the packages of e2e/requirements.txt. To be sourced in a folder of e2e/.
PYTHON=$PWD/../../.cache/venv/bin/python
[ -x "$PYTHON" ] || PYTHON=$(command -v python3)
export PYTHON

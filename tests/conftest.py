import os, pytest
@pytest.fixture(scope="session")
def postgres_url():
    return os.environ["FICHE_TEST_DATABASE_URL"]

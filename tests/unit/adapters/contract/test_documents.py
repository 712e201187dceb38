import pytest

from stepdown_adapters.contract.documents import Documents, File
from stepdown_adapters.errors import ContractError


def test_what_is_no_file_refers_to_itself_only() -> None:
    file = File("package.module:Model", {"$defs": {"a b": {}}})
    documents = Documents(file)
    assert documents.resolved(file, "", "#/$defs/a%20b") == (file, "/$defs/a b")
    with pytest.raises(ContractError) as error:
        documents.resolved(file, "/items", "other.json")
    assert str(error.value).startswith("package.module:Model#/items/$ref: other.json is a file")


def test_a_schema_s_own_identifiers_go_before_files() -> None:
    file = File("a.json", {"items": {"$id": "http://e.com/b.json", "not": {"$anchor": "here"}}})
    file.index(file.value)
    documents = Documents(file)
    assert documents.resolved(file, "", "http://e.com/b.json#/not") == (file, "/items/not")
    assert documents.resolved(file, "/items/not", "#/not") == (file, "/items/not")
    assert documents.resolved(file, "", "#here") == (file, "/items/not")

"""The tree keeps its own rules: check_tree.py says which."""

import warnings

import check_tree


def test_includes_follow_the_order_of_the_folders():
    assert not check_tree.include_errors()


def test_headers_compile_alone():
    assert not check_tree.header_errors()


def test_every_unit_test_is_built():
    assert not check_tree.unit_test_errors()


def test_functions_and_files_are_small():
    for line in check_tree.size_warnings():
        warnings.warn(line)

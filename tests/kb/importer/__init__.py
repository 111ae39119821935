"""Tests of the importer: every file is made on the spot, hostile ones included."""

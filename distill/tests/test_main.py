"""The command line: files are from where the user is."""

from distill.__main__ import main


def test_files_are_from_the_folder_where_the_command_was_typed(tmp_path, monkeypatch, capsys):
    (tmp_path / "mine.yaml").write_text("seed: 31\n")
    monkeypatch.setenv("INIT_CWD", str(tmp_path))  # npm's own folder is the project's
    assert main(["evaluate", "--config", "mine.yaml", "--json", "found.json", "--keys"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert "seed=31" in shown and f"json={tmp_path}/found.json" in shown
    monkeypatch.delenv("INIT_CWD")
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", "--config", "mine.yaml", "--json", "found.json", "--keys"]) == 0
    assert "json=found.json" in capsys.readouterr().out.splitlines()


def test_a_file_that_is_not_there_is_said_with_its_place(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("INIT_CWD", str(tmp_path))
    assert main(["evaluate", "--config", "mine.yaml"]) == 2
    assert str(tmp_path / "mine.yaml") in capsys.readouterr().err

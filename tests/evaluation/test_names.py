from openfer.evaluation.names import run_name


def test_a_run_is_called_by_its_variant_with_the_method_spelled_as_papers_do():
    assert run_name("addl", "addl") == "ADDL"
    assert run_name("addl", "addl_mi") == "ADDL_mi"
    assert run_name("addl", "DDL_ga") == "ADDL DDL_ga"
    assert run_name("baseline", "baseline_mat") == "Baseline_mat"
    assert run_name("sna", "") == "SNA"
    assert run_name("fdrl_eca", "fdrl_eca_without_eca") == "FDRL-ECA_without_eca"
    assert run_name("manet", "manet branch") == "MA-Net branch"

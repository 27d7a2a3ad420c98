from chaoskit.plan import Plan
from chaoskit.plan.model import Probe


def test_instances_per_region_and_per_target(full: Plan) -> None:
    names = [instance.name for instance in full.instances]
    assert names == ["database@us-east-1", "database@eu-west-1", "till", "counter@us-east-1", "counter@eu-west-1"]
    counter = full.instances[3]
    assert counter.settings["pool"] == 8
    assert counter.settings["memory"] == 1
    assert counter.settings["greedy"] is True
    assert counter.links == {
        "till": ("counter@us-east-1->till",),
        "database": ("counter@us-east-1->database@us-east-1",),
    }
    till = full.instances[2]
    assert till.region is None
    assert till.settings["service_time"] == 400
    assert till.links == {"database": ("till->database@us-east-1", "till->database@eu-west-1")}
    assert till.directory.endswith("/targets/shop")


def test_links_lead_to_the_first_port(full: Plan) -> None:
    assert full.entries == ("client->counter@us-east-1", "client->counter@eu-west-1")
    assert full.link("client->counter@us-east-1").port == "http"
    assert full.link("client->counter@us-east-1").kind == "client->counter"
    assert full.link("counter@eu-west-1->till").regions == ("eu-west-1", "us-east-1")
    assert full.link("till->database@eu-west-1").regions == ("eu-west-1",)
    assert full.link("counter@us-east-1->database@us-east-1").port == "sql"
    assert all(link.upstream is None for link in full.links)


def test_probes_ask_by_the_port_s_protocol(full: Plan) -> None:
    assert full.link("client->counter@us-east-1").probe == Probe("http", path="/ready")
    assert full.link("counter@us-east-1->till").probe == Probe("text", send="ping\n", expect="pong\n")
    assert full.link("till->database@us-east-1").probe == Probe("postgres")
    metrics = next(port for port in full.instances[0].ports if port.name == "metrics")
    assert metrics.probe == Probe("http", path="/ready")


def test_resources_carry_the_setting_that_sizes_them(full: Plan) -> None:
    resources = {resource.id: resource for resource in full.resources}
    pool = resources["shop/counter@us-east-1.pool"]
    assert (pool.kind_id, pool.kind, pool.sized_by, pool.setting) == ("shop/counter.pool", "pool", "counter.pool", "8")
    loop = resources["shop/till.loop"]
    assert (loop.kind_id, loop.sized_by, loop.setting) == ("shop/till.loop", "till.service_time", "400us")
    assert resources["shop/till.queue"].feeds == "loop"
    limiter = resources["shop/counter@eu-west-1.limiter"]
    assert (limiter.sized_by, limiter.setting) == ("till.queue_limit", "2000")


def test_cores_make_a_resource_of_the_cpu(full: Plan) -> None:
    cpu = next(resource for resource in full.resources if resource.kind == "cpu")
    assert (cpu.id, cpu.instance, cpu.sized_by, cpu.setting) == ("shop/till.cpu", "till", None, "1")


def test_settings_are_texts_with_units(full: Plan) -> None:
    assert full.settings["till.service_time"] == "400us"
    assert full.settings["counter.spare"] == "5%"
    assert full.settings["counter.refill"] == "600/min"
    assert full.settings["counter.greedy"] == "true"

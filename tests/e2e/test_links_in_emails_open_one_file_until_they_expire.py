"""A download link: before and after its expiry, changed in each of its parts, for another object, with another method,
with the older one of two keys and after it was removed, and during a flood of forged ones."""

import io
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pyarrow.parquet as pq
import pytest

from stack.contract import function_name
from stack.inputs import csv_text, topic_table
from stack.killer import Processes
from stack.links import SECRET, fetch, key_id, payload_of, sign
from stack.mailbox import query_of
from stack.waiting import wait_for

DAY = 86_400
FUNCTION = function_name("download")


def play(stack):
    few, many = (stack.put_input(csv_text(topic_table(count))) for count in (210, 600))
    return stack.play_all(
        {
            "links": stack.joke(few, max_records_per_job=105, presigned_url_expiry_days=30),
            "links-of-a-week": stack.joke(few),
            "links-in-a-list": stack.joke(many, max_records_per_job=100, output_formats=["parquet", "csv"]),
        }
    )


@pytest.fixture(scope="module")
def links(stack, played):
    return stack.mailbox.about(played["links"].name).links


@pytest.fixture(scope="module")
def secret(stack):
    return stack.client("secretsmanager").get_secret_value(SecretId=SECRET)["SecretString"]


@pytest.fixture(scope="module")
def linked(stack, played, links):
    """The place of the links without a token, and the key of the first file."""
    place, token = query_of(links["0000.parquet"])
    return place.rsplit("/", 1)[0], payload_of(token)["key"]


def test_each_link_opens_its_own_file(stack, played, links):
    run = played["links"]
    assert list(links) == ["0000.parquet", "0001.parquet"]
    for (name, url), table in zip(links.items(), run.tables, strict=True):
        answer = fetch(url, follow=True)
        assert answer.status == 200 and pq.read_table(io.BytesIO(answer.body)).equals(table)
        assert answer.body == stack.read(run.output["output_prefix"] + name)


def test_a_link_leads_to_a_fresh_address_that_is_not_kept(links):
    answer = fetch(links["0000.parquet"])
    assert answer.status == 302
    leads_to = parse_qs(urlsplit(answer.headers["location"]).query)
    assert int(leads_to["X-Amz-Expires"][0]) <= 300
    assert leads_to["response-content-disposition"] == ['attachment; filename="0000.parquet"']
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")


def test_links_live_for_the_requested_number_of_days(stack, played):
    for name, days in (("links", 30), ("links-of-a-week", 7)):
        email = stack.mailbox.about(played[name].name)
        ends = {payload_of(query_of(url)[1])["expires"] for url in email.links.values()}
        ended = played[name].end["stopDate"].timestamp()
        assert all(abs(end - ended - days * DAY) < 120 for end in ends)
        until = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(ends.pop()))
        assert f"These links work until {until}" in email.text


def test_a_link_expires_to_the_second(linked, secret):
    place, key = linked

    def answer(expires):
        token = sign(secret, {"key": key, "expires": expires})
        return fetch(f"{place}/0000.parquet?token={token}")

    now = int(time.time())
    assert answer(now + 60).status == 302
    for expires in (now, now - 1, now - 400 * DAY):
        ended = answer(expires)
        assert ended.status == 410
        said = f"This link worked until {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime(expires))}."
        assert ended.body.decode().startswith(said) and "bedrock-batch download" in ended.body.decode()
        assert "location" not in ended.headers


def flipped(text: str, at: int) -> str:
    return f"{text[:at]}{'A' if text[at] != 'A' else 'B'}{text[at + 1 :]}"


def test_a_link_that_was_changed_opens_nothing(links, secret):
    url = links["0000.parquet"]
    place, token = query_of(url)
    version, key, payload, code = token.split(".")
    assert (version, key) == ("v2", key_id(secret))
    _, _, other_payload, other_code = query_of(links["0001.parquet"])[1].split(".")
    longer = sign("x" * 64, payload_of(token) | {"expires": 2**40}).split(".")[2]
    head = f"{version}.{key}"
    changed = {
        "version": f"v3.{key}.{payload}.{code}",
        "version without a key": f"v1.{payload}.{code}",
        "key id": f"{version}.{flipped(key, 0)}.{payload}.{code}",
        "no key id": f"{version}.{payload}.{code}",
        "payload, first": f"{head}.{flipped(payload, 0)}.{code}",
        "payload, last": f"{head}.{flipped(payload, len(payload) - 2)}.{code}",
        "code, first": f"{head}.{payload}.{flipped(code, 0)}",
        "code, middle": f"{head}.{payload}.{flipped(code, 20)}",
        "payload of another": f"{head}.{other_payload}.{code}",
        "code of another": f"{head}.{payload}.{other_code}",
        "longer life": f"{head}.{longer}.{code}",
        "key of another": sign("x" * 64, payload_of(token)),
        "no code": f"{head}.{payload}.",
        "no dots": payload,
        "cut off": token[:-1],
        "one more": f"{token}A",
        "nothing": "",
    }
    for what, forged in changed.items():
        answer = fetch(f"{place}?token={forged}")
        assert (what, answer.status) == (what, 403)
        assert "location" not in answer.headers and "not valid" in answer.body.decode()
    assert fetch(place).status == 403, "without a token"
    assert fetch(url.replace("0000.parquet?", "0001.parquet?")).status == 403, "the name of another file"
    assert fetch(url).status == 302, "the link itself still works"


@pytest.mark.parametrize("key", ["runs/{run}/plan.json", "inputs/rows.csv", "runs/{run}/../x/summary.json", ""])
def test_no_other_object_can_be_linked(played, linked, secret, key):
    """Not even with the right key."""
    token = sign(secret, {"key": key.format(run=played["links"].name), "expires": 2**40})
    assert fetch(f"{linked[0]}/?token={token}").status == 403


def test_a_missing_file_is_reported(linked, secret):
    token = sign(secret, {"key": "batch_output_parquet/none/none/0000.parquet", "expires": 2**40})
    answer = fetch(f"{linked[0]}/0000.parquet?token={token}")
    assert answer.status == 404 and "no longer in the bucket" in answer.body.decode()


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_link_of_any_version_works(linked, secret, version):
    place, key = linked
    token = sign(secret, {"key": key, "expires": int(time.time()) + 60}, version)
    assert fetch(f"{place}/0000.parquet?token={token}", follow=True).status == 200


@pytest.mark.parametrize("skew", [-3000, 3000])
def test_a_clock_that_is_wrong_moves_the_end_of_a_link_by_as_much(linked, secret, skew):
    """That of the function that signs: the other one decides."""
    place, key = linked
    ends = int(time.time()) + skew + 600
    answer = fetch(f"{place}/0000.parquet?token={sign(secret, {'key': key, 'expires': ends})}")
    assert answer.status == (302 if skew > 0 else 410)
    if skew > 0:
        assert int(parse_qs(urlsplit(answer.headers["location"]).query)["X-Amz-Expires"][0]) == 300


def test_an_address_hardly_outlives_its_link(linked, secret):
    place, key = linked
    token = sign(secret, {"key": key, "expires": int(time.time()) + 30})
    address = fetch(f"{place}/0000.parquet?token={token}").headers["location"]
    assert int(parse_qs(urlsplit(address).query)["X-Amz-Expires"][0]) == 60


def test_head_tells_the_size_and_gives_no_access(stack, links):
    url = links["0000.parquet"]
    answer = fetch(url, "HEAD")
    assert answer.status == 302 and answer.body == b""
    told = fetch(answer.headers["location"], "HEAD")
    assert int(told.headers["content-length"]) == len(fetch(url, follow=True).body)
    for sent in ("x", ""):
        assert fetch(f"{query_of(url)[0]}?token={sent}", "HEAD").status == 403


def test_a_flood_of_forged_links_is_bounded_and_harms_nothing(stack, links, secret):
    """Beyond its concurrency, requests are turned away; real links work again right after, and no other function is slower."""
    url = links["0000.parquet"]
    place, token = query_of(url)
    function = stack.functions.get_function_concurrency(FunctionName=FUNCTION)
    assert function["ReservedConcurrentExecutions"] == 10
    forged = [f"{place}?token={sign(f'{number:064}', payload_of(token))}" for number in range(300)]
    with ThreadPoolExecutor(50) as pool:
        statuses = Counter(answer.status for answer in pool.map(fetch, forged))
    assert statuses.keys() <= {403, 429} and statuses[403] > 0, statuses
    wait_for("the link to work", lambda: fetch(url).status == 302)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_links_can_only_be_fetched(links, method):
    answer = fetch(links["0000.parquet"], method)
    if method == "OPTIONS" and "location" not in answer.headers:
        # The local stack answers those itself.
        return
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert "location" not in answer.headers


def test_links_to_many_files_are_listed_in_one_file(stack, played):
    run = played["links-in-a-list"]
    email = stack.mailbox.about(run.name)
    assert "12 files under" in email.text
    assert list(email.links) == ["summary.json", "links.txt"]
    assert fetch(email.links["summary.json"], follow=True).body == stack.read(
        f"s3://{stack.bucket}/runs/{run.run_id}/summary.json"
    )
    urls = fetch(email.links["links.txt"], follow=True).body.decode().splitlines()
    assert [urlsplit(url).path.rsplit("/", 1)[1] for url in urls] == [
        path.rsplit("/", 1)[1] for path in run.output["output_paths"]
    ]
    for url, path in zip(urls, run.output["output_paths"], strict=True):
        assert fetch(url, follow=True).body == stack.read(path)


def test_no_token_and_no_address_is_logged(stack, links):
    token = query_of(links["0000.parquet"])[1]
    for function in (FUNCTION, function_name("notify")):
        assert stack.logged(function), "there are logs"
        for secret_words in (token, token.split(".")[3], "X-Amz-Signature"):
            assert stack.logged(function, secret_words) == []


def test_rotating_the_key_withdraws_all_links(stack, misbehaving, links, secret):
    secrets = stack.client("secretsmanager")
    url = links["0000.parquet"]
    place, token = query_of(url)
    rotated = secret[::-1]
    assert fetch(url).status == 302
    try:
        secrets.put_secret_value(SecretId=SECRET, SecretString=rotated)
        # A process that runs already takes the old key for some minutes more.
        begin_anew(stack)
        withdrawn = fetch(url)
        assert withdrawn.status == 403 and "withdrawn" in withdrawn.body.decode()
        assert fetch(f"{place}?token={sign(rotated, payload_of(token))}").status == 302
    finally:
        secrets.put_secret_value(SecretId=SECRET, SecretString=secret)
        begin_anew(stack)
    assert fetch(url).status == 302


def test_removing_one_of_two_keys_withdraws_its_links_alone(stack, misbehaving, links, secret):
    secrets = stack.client("secretsmanager")
    of_first = links["0000.parquet"]
    place, token = query_of(of_first)
    newer = secret[::-1]
    of_newer = f"{place}?token={sign(newer, payload_of(token))}"
    try:
        for keys, expected in ((f"{newer}\n{secret}", (302, 302)), (secret, (302, 403)), (newer, (403, 302))):
            secrets.put_secret_value(SecretId=SECRET, SecretString=keys)
            begin_anew(stack)
            assert (fetch(of_first).status, fetch(of_newer).status) == expected
    finally:
        secrets.put_secret_value(SecretId=SECRET, SecretString=secret)
        begin_anew(stack)


def begin_anew(stack) -> None:
    """Ends the processes of the function: the next request has a new one."""
    processes = Processes(stack)
    processes.kill("download")
    wait_for("the end of the function's processes", lambda: not processes.of("download"))

import asyncio

from trainables.workers.mailbox import ATTEMPTS, RESTARTED, Mailbox

LOST = "its workers were killed, or their number changed"


def run(scenario):
    """Run a scenario `async (mailbox) -> result`, for a minute at most."""

    async def timed():
        return await asyncio.wait_for(scenario(Mailbox()), timeout=60)

    return asyncio.run(timed())


def test_a_job_comes_out_as_it_went_in_and_its_results_in_their_order():
    async def scenario(box):
        await box.submit({"lr": 1})
        job, config = await box.take()
        posted = [await box.post(job, step, {"step": step}) for step in range(3)]
        return config, posted, [await box.collect(1) for _ in range(3)]

    assert run(scenario) == ({"lr": 1}, [True] * 3, [{"step": 0}, {"step": 1}, {"step": 2}])


def test_workers_may_wait_before_there_is_a_job():
    async def scenario(box):
        waiting = [asyncio.create_task(box.take()), asyncio.create_task(box.wait())]
        await asyncio.sleep(0)
        await box.submit({"lr": 1})
        return (await waiting[0])[1], await waiting[1]

    assert run(scenario) == ({"lr": 1}, None)


def test_collect_gives_none_after_its_timeout_and_loses_nothing_by_it():
    async def scenario(box):
        await box.submit({})
        job, _ = await box.take()
        before = await box.collect(0.01)
        await box.post(job, 0, {"step": 1})
        return before, await box.collect(1)

    assert run(scenario) == (None, {"step": 1})


def test_a_replaced_job_is_told_so_and_what_it_posted_reaches_nobody():
    async def scenario(box):
        await box.submit({"trial": 0})
        old, _ = await box.take()
        assert await box.post(old, 0, {"of": 0})  # posted in time, never collected
        await box.submit({"trial": 1})
        told = await box.post(old, 1, {"of": 0})
        new, config = await box.take()
        await box.post(new, 0, {"of": 1})
        return told, config, await box.collect(1), await box.collect(0.01)

    assert run(scenario) == (False, {"trial": 1}, {"of": 1}, None)


def test_only_the_newest_of_several_waiting_jobs_is_handed_out():
    async def scenario(box):
        for trial in range(3):
            await box.submit({"trial": trial})
        return (await box.take())[1]

    assert run(scenario) == {"trial": 2}


def test_none_ends_a_group_also_where_a_job_runs():
    async def scenario(box):
        await box.submit({"trial": 0})
        job, _ = await box.take()
        await box.submit(None)
        return await box.post(job, 0, {}), (await box.take())[1]

    assert run(scenario) == (False, None)


def test_a_job_whose_group_died_is_handed_out_again_and_delivers_nothing_twice():
    async def scenario(box):
        await box.submit({"trial": 0})
        job, _ = await box.take()
        await box.post(job, 0, {"step": 0})
        again = await box.take()
        for step in range(3):
            await box.post(job, step, {"step": step})
        return again, [await box.collect(1) for _ in range(3)], await box.collect(0.01)

    told = [{"step": 0}, {"step": 1, RESTARTED: LOST}, {"step": 2}]
    assert run(scenario) == ((1, {"trial": 0}), told, None)


def test_a_job_that_ended_is_not_handed_out_again():
    async def scenario(box):
        await box.submit({"trial": 0})
        job, _ = await box.take()
        await box.post(job, 0, {"done": True})
        waiting = asyncio.create_task(box.take())
        await asyncio.sleep(0.01)
        assert not waiting.done()
        await box.submit({"trial": 1})
        return await waiting

    assert run(scenario) == (2, {"trial": 1})


def test_a_job_under_which_every_group_dies_is_given_up_and_the_next_one_is_not():
    async def scenario(box):
        await box.submit({"trial": 0})
        job, _ = await box.take()
        await box.post(job, 0, {"step": 0})
        for _ in range(ATTEMPTS - 1):  # it died once behind the result, and now without another one
            await box.take()
        await box.note(job, "connection closed")
        waiting = asyncio.create_task(box.take())
        results = [await box.collect(1), await box.collect(1)]
        await box.submit({"trial": 1})
        return results, await waiting

    failure = {"failure": f"its workers died {ATTEMPTS} times in a row, at last: connection closed", "done": True}
    assert run(scenario) == ([{"step": 0}, failure], (2, {"trial": 1}))


def test_a_job_that_gets_on_is_never_given_up_however_often_its_group_dies():
    async def scenario(box):
        await box.submit({"trial": 0})
        for step in range(3 * ATTEMPTS):
            job, config = await box.take()
            assert config == {"trial": 0}
            await box.post(job, step, {"step": step})
            await box.note(job, "a node was lost")
        return [await box.collect(1) for _ in range(3 * ATTEMPTS)]

    first, *others = run(scenario)
    assert first == {"step": 0}
    assert others == [{"step": step, RESTARTED: "a node was lost"} for step in range(1, 3 * ATTEMPTS)]


def test_a_failure_ends_a_job_also_when_it_had_delivered_more_before():
    async def scenario(box):
        await box.submit({"trial": 0})
        job, _ = await box.take()
        await box.post(job, 0, {"step": 0})
        await box.take()  # started anew, and it raises before it has replayed anything
        await box.fail(job, "OSError: disk full")
        return [await box.collect(1), await box.collect(1)]

    assert run(scenario) == [{"step": 0}, {"failure": "OSError: disk full", "done": True}]


def test_workers_that_wait_for_an_answer_go_on_as_soon_as_the_next_result_is_wanted():
    async def scenario(box):
        await box.submit({"trial": 0})
        job, _ = await box.take()
        await box.post(job, 0, {"step": 0})
        answer = asyncio.create_task(box.answered(job, 0))
        first = await box.collect(1)
        await asyncio.sleep(0.01)
        before = answer.done()
        waits = asyncio.create_task(box.collect(1))
        await answer
        waits.cancel()
        return first, before, await box.goes_on(job)

    assert run(scenario) == ({"step": 0}, False, True)


def test_workers_that_wait_for_an_answer_are_free_at_once_where_their_job_is_replaced():
    async def scenario(box):
        await box.submit({"trial": 0})
        job, _ = await box.take()
        await box.post(job, 0, {"step": 0})
        await box.collect(1)
        both = [asyncio.create_task(box.answered(job, 0)) for _ in range(2)]
        await asyncio.sleep(0.01)
        before = any(answer.done() for answer in both)
        await box.submit({"trial": 1})
        await asyncio.gather(*both)
        return before, await box.goes_on(job), (await box.take())[1]

    assert run(scenario) == (False, False, {"trial": 1})


def test_a_group_that_began_anew_is_not_asked_to_wait_behind_what_was_decided_before():
    async def scenario(box):
        await box.submit({"trial": 0})
        job, _ = await box.take()
        for step in range(2):
            await box.post(job, step, {"step": step})
            await box.collect(1)
        await box.collect(0.01)
        again, _ = await box.take()
        await asyncio.gather(*(box.answered(again, step) for step in range(2)))
        return await box.goes_on(again)

    assert run(scenario)


def test_a_group_that_began_anew_takes_up_a_job_only_once_its_next_result_is_waited_for():
    async def scenario(box):
        await box.submit({"trial": 0})
        job, _ = await box.take()
        await box.post(job, 0, {"step": 0})
        await box.collect(1)
        group = [asyncio.create_task(box.wait()) for _ in range(2)]
        await asyncio.sleep(0.01)
        before = any(worker.done() for worker in group)
        await box.collect(0.01)
        await asyncio.gather(*group)
        return before, await box.take()

    assert run(scenario) == (False, (1, {"trial": 0}))


def test_a_group_that_died_under_a_stopped_job_begins_with_the_next_one():
    async def scenario(box):
        await box.submit({"trial": 0})
        job, _ = await box.take()
        await box.post(job, 0, {"step": 0})
        await box.collect(1)  # behind it the trial is stopped, and its group dies
        anew = asyncio.create_task(box.wait())
        await asyncio.sleep(0.01)
        before = anew.done()
        await box.submit({"trial": 1})
        await anew
        return before, await box.take()

    assert run(scenario) == (False, (2, {"trial": 1}))

"""People: shifts, breaks, and who does which task."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass

from bson import ObjectId

from ingest.simulator.changes import Document
from ingest.simulator.events import text_time
from ingest.simulator.ids import OPENING_MS, reference_object_id
from ingest.simulator.options import DAY_MS
from ingest.simulator.reference import SHIFT_HOURS, Person
from ingest.simulator.world import HOUR, MINUTE, World, instant

SHIFT_MS = 8 * HOUR
# minutes after the beginning of the shift, minutes long, kind
_BREAKS = ((120, 15, "break"), (240, 30, "lunch"), (375, 15, "break"))
# A picking task that waited so long goes to somebody from an agency, who is in no list of workers.
AGENCY_MS = 45 * MINUTE


@dataclass(slots=True)
class Worker:
    """One person on the floor. Somebody from an agency is in no list of workers: no document is written."""

    id: str
    document_id: ObjectId
    document: Document
    skills: frozenset[str]
    is_agency: bool = False
    is_idle: bool = False
    due_break: tuple[int, str] | None = None  # minutes, kind: taken when the task is done
    is_due_home: bool = False
    lines: int = 0
    errors: int = 0
    minutes: float = 0.0


@dataclass(slots=True)
class _Request:
    skill: str
    task_id: str
    priority: int
    begin: Callable[[Worker], None]
    is_open: bool = True


class Labor:
    """The labor service: gives tasks to whoever is free longest."""

    def __init__(self, world: World, people: tuple[Person, ...]) -> None:
        self._world = world
        self._idle: list[Worker] = []
        self._waiting: dict[str, list[tuple[int, int, _Request]]] = {}
        self._sequence = 0
        for person in people:
            self._hire(person)

    def _hire(self, person: Person) -> None:
        world, fill = self._world, self._world.fill
        opening = instant(OPENING_MS)
        document: Document = {
            "workerId": person.worker_id,
            "tenantId": "TENANT-DEFAULT" if fill else "",
            "facilityId": "FAC-001" if fill else "",
            "warehouseId": "WH-001" if fill else "",
            "employeeId": person.employee_id,
            "name": person.name,
            "status": world.statuses.initial("worker", "offline"),
            "currentZone": person.zone,
            "skills": [
                {"type": skill, "level": level, "certified": certified}
                | ({"certifiedAt": opening} if certified else {})
                for skill, level, certified in person.skills
            ],
            "performanceMetrics": {
                "totalTasksCompleted": 0,
                "totalItemsProcessed": 0,
                "averageTaskTime": 0.0,
                "averageItemsPerHour": 0.0,
                "accuracyRate": 100.0 if fill else 0.0,
                "lastUpdated": opening,
            },
            "createdAt": opening,
            "updatedAt": opening,
        }
        worker = Worker(
            person.worker_id,
            reference_object_id("workers", person.worker_id),
            document,
            frozenset(skill for skill, _, _ in person.skills),
        )
        world.add("workers", worker.document_id, document)
        arrival = SHIFT_HOURS[person.shift] * HOUR + world.between(0, 4 * MINUTE)
        world.later(arrival, self._begin_shift, worker, person)

    def _begin_shift(self, worker: Worker, person: Person) -> None:
        world, document = self._world, worker.document
        world.later(DAY_MS, self._begin_shift, worker, person)
        world.step("worker", document, "available")
        document["currentZone"] = person.zone
        document["currentShift"] = {
            "shiftId": f"SHIFT-{world.now:%Y-%m-%d}",
            "shiftType": person.shift,
            "zone": person.zone,
            "startTime": world.now,
            "breaksTaken": None,
            "tasksCompleted": 0,
            "itemsProcessed": 0,
        }
        self._save(worker)
        self._publish(
            worker,
            "shift-started",
            {
                "shiftId": document["currentShift"]["shiftId"],
                "zone": person.zone,
                "shiftType": person.shift,
                "startedAt": text_time(world.now_ms),
            },
        )
        for after, minutes, kind in _BREAKS:
            world.later(after * MINUTE + world.between(0, 20 * MINUTE), self._call_break, worker, minutes, kind)
        world.later(SHIFT_MS - 5 * MINUTE - world.between(0, 4 * MINUTE), self._call_home, worker)
        self._free(worker)

    def _call_break(self, worker: Worker, minutes: int, kind: str) -> None:
        worker.due_break = (minutes, kind)
        self._leave_floor(worker)

    def _call_home(self, worker: Worker) -> None:
        worker.is_due_home = True
        self._leave_floor(worker)

    def _leave_floor(self, worker: Worker) -> None:
        if worker.is_idle:
            self._idle.remove(worker)
            worker.is_idle = False
            self._free(worker)

    def _free(self, worker: Worker) -> None:
        """Home, break, next task or waiting, in this order."""
        if worker.is_due_home:
            self._end_shift(worker)
        elif worker.due_break:
            self._begin_break(worker, *worker.due_break)
        else:
            request = self._next_request(worker)
            if request:
                self._assign(worker, request)
            else:
                worker.is_idle = True
                self._idle.append(worker)

    def _begin_break(self, worker: Worker, minutes: int, kind: str) -> None:
        worker.due_break = None
        shift = worker.document["currentShift"]
        self._world.step("worker", worker.document, "on_break")
        shift["breaksTaken"] = (shift["breaksTaken"] or []) + [{"startTime": self._world.now, "type": kind}]
        self._save(worker)
        self._world.later(minutes * MINUTE, self._end_break, worker)

    def _end_break(self, worker: Worker) -> None:
        self._world.step("worker", worker.document, "available")
        worker.document["currentShift"]["breaksTaken"][-1]["endTime"] = self._world.now
        self._save(worker)
        self._free(worker)

    def _end_shift(self, worker: Worker) -> None:
        world, document = self._world, worker.document
        worker.is_due_home = False
        worker.due_break = None
        world.step("worker", document, "offline")
        shift = document["currentShift"]
        shift["endTime"] = world.now
        self._save(worker)
        self._publish(
            worker,
            "shift-ended",
            {
                "shiftId": shift["shiftId"],
                "tasksCompleted": shift["tasksCompleted"],
                "itemsProcessed": shift["itemsProcessed"],
                "endedAt": text_time(world.now_ms),
            },
        )
        if world.fill:
            metrics = document["performanceMetrics"]
            self._publish(
                worker,
                "performance-recorded",
                {
                    "avgTaskTime": metrics["averageTaskTime"],
                    "avgItemsPerHour": metrics["averageItemsPerHour"],
                    "accuracyRate": metrics["accuracyRate"],
                    "recordedAt": text_time(world.now_ms),
                },
            )
        # The service leaves the last task in the document for good; the night's clean-up drops it for some.
        if "currentTask" in document and world.chance(0.2):
            world.later(world.between(20 * MINUTE, 2 * HOUR), self._clean_up, worker)

    def _clean_up(self, worker: Worker) -> None:
        if worker.document["status"] != "offline":
            return
        worker.document.pop("currentTask", None)
        self._world.touch(worker.document)
        self._world.replace("workers", worker.document_id, worker.document)

    def request(self, skill: str, task_id: str, priority: int, begin: Callable[[Worker], None]) -> None:
        """Ask for somebody with a skill; ``begin`` is called when the task is assigned. Low priority numbers first."""
        request = _Request(skill, task_id, priority, begin)
        for worker in self._idle:
            if skill in worker.skills:
                self._idle.remove(worker)
                worker.is_idle = False
                self._assign(worker, request)
                return
        self._sequence += 1
        heapq.heappush(self._waiting.setdefault(skill, []), (priority, self._sequence, request))
        if skill == "picking":
            self._world.later(AGENCY_MS, self._call_agency, request)

    def _call_agency(self, request: _Request) -> None:
        if request.is_open:
            request.is_open = False
            ids = self._world.ids
            worker = Worker(f"PK-{ids.hex()}", ids.object_id(self._world.now_ms), {}, frozenset(), is_agency=True)
            request.begin(worker)

    def _next_request(self, worker: Worker) -> _Request | None:
        best: list[tuple[int, int, _Request]] | None = None
        for skill in sorted(worker.skills):
            queue = self._waiting.get(skill, [])
            while queue and not queue[0][2].is_open:
                heapq.heappop(queue)
            if queue and (best is None or queue[0] < best[0]):
                best = queue
        return heapq.heappop(best)[2] if best else None

    def _assign(self, worker: Worker, request: _Request) -> None:
        world = self._world
        request.is_open = False
        world.step("worker", worker.document, "on_task")
        worker.document["currentTask"] = {
            "taskId": request.task_id,
            "taskType": request.skill,
            "priority": request.priority,
            "assignedAt": world.now,
        }
        self._save(worker)
        self._publish(
            worker,
            "task-assigned",
            {"taskId": request.task_id, "taskType": request.skill, "assignedAt": text_time(world.now_ms)},
        )
        request.begin(worker)

    def start(self, worker: Worker) -> None:
        """The worker has begun the task."""
        if not worker.is_agency:
            worker.document["currentTask"]["startedAt"] = self._world.now
            self._save(worker)

    def finish(self, worker: Worker, items: int, lines: int, errors: int) -> None:
        """The worker is done: units handled, lines handled, lines with an exception."""
        if worker.is_agency:
            return
        world, document = self._world, worker.document
        task = document["currentTask"]
        world.step("worker", document, "available")
        shift, metrics = document["currentShift"], document["performanceMetrics"]
        shift["tasksCompleted"] += 1
        shift["itemsProcessed"] += items
        metrics["totalTasksCompleted"] += 1
        metrics["totalItemsProcessed"] += items
        metrics["lastUpdated"] = world.now
        worker.lines += lines
        worker.errors += errors
        worker.minutes += (world.now - task["assignedAt"]).total_seconds() / 60
        if world.fill:
            metrics["averageTaskTime"] = round(worker.minutes / metrics["totalTasksCompleted"], 3)
            if worker.minutes:
                metrics["averageItemsPerHour"] = round(metrics["totalItemsProcessed"] * 60 / worker.minutes, 3)
            metrics["accuracyRate"] = round(100 * (1 - worker.errors / worker.lines), 3) if worker.lines else 100.0
        world.touch(document)
        # Cleared in the service, so left out of the write; the stored task stays as it was.
        world.save("workers", worker.document_id, document, omit=("currentTask",))
        self._publish(
            worker,
            "task-completed",
            {"taskId": task["taskId"], "itemsProcessed": items, "completedAt": text_time(world.now_ms)},
        )
        self._free(worker)

    def _save(self, worker: Worker) -> None:
        self._world.touch(worker.document)
        self._world.save("workers", worker.document_id, worker.document)

    def _publish(self, worker: Worker, action: str, data: Document) -> None:
        self._world.publish("labor", f"wms.labor.{action}", f"worker/{worker.id}", {"workerId": worker.id, **data})

import type { Route } from '#shared/door/route.ts';
import { runNow } from '#shared/dream-schedules/begin-run.ts';
import {
  archiveSchedule,
  pauseSchedule,
  unpauseSchedule,
} from '#shared/dream-schedules/change-schedule.ts';
import type { SchedulePorts } from '#shared/dream-schedules/schedule-ports.ts';
import type { DreamPorts } from '#shared/dreams/dream-ports.ts';
import type { DeleteStorePorts } from '#shared/memory/delete-store.ts';
import type { MemoryRouteName } from '#shared/routes.ts';
import { actOnSchedule } from './act-on-schedule.ts';
import { acceptAllChanges } from './accept-all-changes.ts';
import { applyChanges } from './apply-changes.ts';
import { archiveDream } from './archive-dream.ts';
import { archiveStore } from './archive-store.ts';
import { cancelDream } from './cancel-dream.ts';
import { createDream } from './create-dream.ts';
import { createMemory } from './create-memory.ts';
import { createSchedule } from './create-schedule.ts';
import { createStore } from './create-store.ts';
import { decideChange } from './decide-change.ts';
import { deleteMemory } from './delete-memory.ts';
import { deleteStore } from './delete-store.ts';
import { importStore } from './import-store.ts';
import { listApplies } from './list-applies.ts';
import { listChanges } from './list-changes.ts';
import { listDreams } from './list-dreams.ts';
import { listMemories } from './list-memories.ts';
import { listMemoryVersions } from './list-memory-versions.ts';
import { listScheduleRuns } from './list-schedule-runs.ts';
import { listSchedules } from './list-schedules.ts';
import { listStores } from './list-stores.ts';
import { readDream } from './read-dream.ts';
import { readMemory } from './read-memory.ts';
import { readMemoryVersion } from './read-memory-version.ts';
import { readSchedule } from './read-schedule.ts';
import { readScheduleRun } from './read-schedule-run.ts';
import { readStore } from './read-store.ts';
import { redactMemoryVersion } from './redact-memory-version.ts';
import { diffMemories } from './diff-memories.ts';
import { restoreMemory } from './restore-memory.ts';
import { restoreStore } from './restore-store.ts';
import { rollBackApply } from './roll-back-apply.ts';
import { searchMemories } from './search-memories.ts';
import { updateMemory } from './update-memory.ts';
import { updateSchedule } from './update-schedule.ts';
import { updateStore } from './update-store.ts';

export interface MemoryDoorPorts extends DeleteStorePorts, DreamPorts, SchedulePorts {}

/** The type demands every route of shared/routes.ts: a forgotten one does not compile. */
export function routeTable(ports: MemoryDoorPorts): Readonly<Record<MemoryRouteName, Route>> {
  return {
    'POST /v1/memory_stores': createStore(ports),
    'GET /v1/memory_stores': listStores(ports),
    'GET /v1/memory_stores/{memory_store_id}': readStore(ports),
    'POST /v1/memory_stores/{memory_store_id}': updateStore(ports),
    'DELETE /v1/memory_stores/{memory_store_id}': deleteStore(ports),
    'POST /v1/memory_stores/{memory_store_id}/archive': archiveStore(ports),
    'POST /v1/memory_stores/{memory_store_id}/memories': createMemory(ports),
    'GET /v1/memory_stores/{memory_store_id}/memories': listMemories(ports),
    'GET /v1/memory_stores/{memory_store_id}/memories/{memory_id}': readMemory(ports),
    'POST /v1/memory_stores/{memory_store_id}/memories/{memory_id}': updateMemory(ports),
    'PATCH /v1/memory_stores/{memory_store_id}/memories/{memory_id}': updateMemory(ports),
    'DELETE /v1/memory_stores/{memory_store_id}/memories/{memory_id}': deleteMemory(ports),
    'GET /v1/memory_stores/{memory_store_id}/memory_versions': listMemoryVersions(ports),
    'GET /v1/memory_stores/{memory_store_id}/memory_versions/{memory_version_id}':
      readMemoryVersion(ports),
    'POST /v1/memory_stores/{memory_store_id}/memory_versions/{memory_version_id}/redact':
      redactMemoryVersion(ports),
    'POST /v1/reverie/memory_stores/{memory_store_id}/memories/{memory_id}/restore':
      restoreMemory(ports),
    'POST /v1/reverie/memory_stores/{memory_store_id}/restore': restoreStore(ports),
    'GET /v1/reverie/memory_stores/{memory_store_id}/diff': diffMemories(ports),
    'GET /v1/reverie/memory_stores/{memory_store_id}/search': searchMemories(ports),
    'POST /v1/reverie/memory_stores/import': importStore(ports),
    'POST /v1/dreams': createDream(ports),
    'GET /v1/dreams': listDreams(ports),
    'GET /v1/dreams/{dream_id}': readDream(ports),
    'POST /v1/dreams/{dream_id}/cancel': cancelDream(ports),
    'POST /v1/dreams/{dream_id}/archive': archiveDream(ports),
    'GET /v1/reverie/dreams/{dream_id}/changes': listChanges(ports),
    'POST /v1/reverie/dreams/{dream_id}/changes/accept_all': acceptAllChanges(ports),
    'POST /v1/reverie/dreams/{dream_id}/changes/{change_id}': decideChange(ports),
    'POST /v1/reverie/dreams/{dream_id}/apply': applyChanges(ports),
    'GET /v1/reverie/dreams/{dream_id}/applies': listApplies(ports),
    'POST /v1/reverie/dreams/{dream_id}/applies/{apply_id}/rollback': rollBackApply(ports),
    'POST /v1/reverie/dream_schedules': createSchedule(ports),
    'GET /v1/reverie/dream_schedules': listSchedules(ports),
    'GET /v1/reverie/dream_schedules/{dream_schedule_id}': readSchedule(ports),
    'POST /v1/reverie/dream_schedules/{dream_schedule_id}': updateSchedule(ports),
    'POST /v1/reverie/dream_schedules/{dream_schedule_id}/pause': actOnSchedule(
      ports,
      pauseSchedule,
    ),
    'POST /v1/reverie/dream_schedules/{dream_schedule_id}/unpause': actOnSchedule(
      ports,
      unpauseSchedule,
    ),
    'POST /v1/reverie/dream_schedules/{dream_schedule_id}/run': actOnSchedule(ports, runNow),
    'POST /v1/reverie/dream_schedules/{dream_schedule_id}/archive': actOnSchedule(
      ports,
      archiveSchedule,
    ),
    'GET /v1/reverie/dream_schedules/{dream_schedule_id}/runs': listScheduleRuns(ports),
    'GET /v1/reverie/dream_schedules/{dream_schedule_id}/runs/{run_id}': readScheduleRun(ports),
  };
}

import type { StreamRouteName } from '#shared/routes.ts';
import { readGradeTranscript } from './read-grade-transcript.ts';
import { readFileHistory } from './read-file-history.ts';
import { readReport } from './read-report.ts';
import { readTrace } from './read-trace.ts';
import { readTranscript } from './read-transcript.ts';
import { downloadFile } from './download-file.ts';
import { exportStore } from './export-store.ts';
import { streamEvents } from './stream-events.ts';
import type { StreamPorts, StreamRoute } from './stream-route.ts';

/** The type demands every route of shared/routes.ts: a forgotten one does not compile. */
export function routeTable(ports: StreamPorts): Readonly<Record<StreamRouteName, StreamRoute>> {
  return {
    'GET /v1/files/{file_id}/content': downloadFile(ports),
    'GET /v1/sessions/{session_id}/events/stream': streamEvents(ports),
    'GET /v1/sessions/{session_id}/threads/{thread_id}/stream': streamEvents(ports),
    'GET /v1/reverie/memory_stores/{memory_store_id}/export': exportStore(ports),
    'GET /v1/reverie/dreams/{dream_id}/report': readReport(ports),
    'GET /v1/reverie/sessions/{session_id}/transcript': readTranscript(ports),
    'GET /v1/reverie/sessions/{session_id}/trace': readTrace(ports),
    'GET /v1/reverie/sessions/{session_id}/files/history': readFileHistory(ports),
    'GET /v1/reverie/sessions/{session_id}/outcome_evaluations/{evaluation_id}/transcript':
      readGradeTranscript(ports),
  };
}

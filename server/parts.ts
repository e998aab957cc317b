import type { Redis } from 'ioredis'
import type { Channel, Provider } from '../models/channels.ts'
import type { InboxId, WorkspaceId } from '../models/ids.ts'
import type { SignIn } from './auth/sign-in.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import type { Directory } from './directory.ts'
import type { Ingest } from './inbound/ingest.ts'
import type { ReceiptKeeper } from './inbound/receipts.ts'
import type { Log } from './log.ts'
import type { Library } from './media/library.ts'
import type { Metrics } from './observability/metrics.ts'
import type { RouteHealthKeeper } from './observability/route-health.ts'
import type { Worker } from './outbox/worker.ts'
import type { Providers } from './providers.ts'
import type { Broadcasts } from './realtime/broadcasts.ts'
import type { ReadMarks } from './realtime/read-marks.ts'

/** An inbox to be connected, its credentials checked. */
export interface NewInbox {
  workspace: WorkspaceId
  name: string
  channel: Channel
  routes: { provider: Provider; credentials: unknown; sender: string; apiBase?: string | undefined }[]
}

/** What a running node is made of; endpoints name the few of these they need. `createNode` puts them together. */
export interface Parts {
  config: Config
  clock: Clock
  log: Log
  metrics: Metrics
  routeHealth: RouteHealthKeeper
  redis: Redis | undefined
  /** Where the world reaches us, without a slash at the end. */
  publicUrl: () => string
  /** The folder where uploads land. */
  incoming: string
  directory: Directory
  providers: Providers
  signIn: SignIn
  broadcasts: Broadcasts
  readMarks: ReadMarks
  keeper: ReceiptKeeper
  ingest: Ingest
  worker: Worker
  library: Library
  /** Stores an inbox with its routes; answers with its id. */
  connectInbox(given: NewInbox): Promise<InboxId>
}

import { join } from 'node:path'
import { Vault } from '../models/vault.ts'
import { SystemClock } from './clock.ts'
import { type Config, readConfig, WrongSetting } from './config.ts'
import { closeDatabase, databaseNow, openDatabase } from './database.ts'
import { startEmbedded } from './embedded/index.ts'
import { createLog, type Log } from './log.ts'
import { createNode, type Node } from './node.ts'
import { sandboxAccounts } from './sandbox/accounts.ts'
import { systemClock as simulatorClock } from './sandbox/clock.ts'
import { createSandbox } from './sandbox/sandbox.ts'
import { connectSandbox, type FirstAdmin, firstAdmin, firstWorkspace } from './setup.ts'

/** EX_CONFIG of sysexits.h: a supervisor need not start us again, a person must change a setting. */
const EXIT_WRONG_SETTING = 78
/** Whatever still hangs after this is left behind: whoever stops us counts to ten. */
const STOP_WITHIN_MS = 9_500

async function start(config: Config, log: Log): Promise<{ node: Node; stop(): Promise<void> }> {
  const embedded = config.mongodbUri
    ? undefined
    : await startEmbedded({
        directory: join(config.dataDir, 'db'),
        log: (line) => log.info({ part: 'embedded', ...line }),
      })
  void embedded?.died.then((reason) => {
    log.fatal(
      { event: 'embedded.died', error: reason },
      'the embedded database ended; a supervisor should start us again',
    )
    process.exit(1)
  })
  await openDatabase(config.mongodbUri ?? embedded?.uri ?? '')
  const clock = new SystemClock()
  const following = await clock.follow(databaseNow)
  const workspace = await firstWorkspace(clock)
  const admin = await firstAdmin(workspace._id, config, clock)

  const accounts = sandboxAccounts(config.secretKeys[0])
  const sandbox = (url: string) =>
    createSandbox({
      accounts,
      webhookOrigin: url,
      clock: simulatorClock,
      random: Math.random,
      log: log.child({ part: 'sandbox' }),
    })
  const node = await createNode({
    config,
    clock,
    random: Math.random,
    log,
    ...(config.sandbox ? { sandbox } : {}),
  })
  if (config.sandbox)
    await connectSandbox(
      workspace._id,
      accounts,
      node.url,
      node.parts.connectInbox,
      new Vault(config.secretKeys),
    )
  await node.work()
  greet(config, node, admin)

  let stopping: Promise<void> | undefined
  const stop = () => {
    stopping ??= (async () => {
      await node.stop()
      following.cancel()
      await closeDatabase()
      await embedded?.close()
    })()
    return stopping
  }
  return { node, stop }
}

/** For the person at the terminal, once: a drawn password is shown here and kept nowhere. */
function greet(config: Config, node: Node, admin: FirstAdmin | null): void {
  const url = config.publicUrl ?? node.url
  const lines = ['', `  Nexus Inbox    ${url}`]
  if (config.sandbox) lines.push(`  Be a customer  ${url}/sandbox`)
  if (admin)
    lines.push(
      `  Sign in as     ${admin.email}${admin.password ? `  with  ${admin.password}   (shown this once)` : '  with ADMIN_PASSWORD'}`,
    )
  process.stdout.write(`${lines.join('\n')}\n\n`)
}

async function main(): Promise<void> {
  const config = readConfig(process.env)
  const log = createLog(config.logLevel)
  const { node, stop } = await start(config, log)
  log.info({
    event: 'started',
    port: Number(new URL(node.url).port),
    store: config.mongodbUri ? 'mongodb' : 'embedded',
    redis: config.redisUrl !== undefined,
    sandbox: config.sandbox,
  })
  const end = (signal: string) => {
    log.info({ event: 'stopping', signal })
    setTimeout(() => process.exit(0), STOP_WITHIN_MS).unref()
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ event: 'stop.failed', error })
        process.exit(1)
      },
    )
  }
  process.once('SIGTERM', () => end('SIGTERM'))
  process.once('SIGINT', () => end('SIGINT'))
  // A promise nobody waited for is a fault of ours, and no reason to drop everybody's connection.
  process.on('unhandledRejection', (error) =>
    log.error({ event: 'unhandled_rejection', error }, 'a promise failed and nobody was waiting for it'),
  )
}

main().catch((error: unknown) => {
  if (error instanceof WrongSetting) {
    process.stderr.write(`Wrong setting.\n${error.message}\n`)
    process.exit(EXIT_WRONG_SETTING)
  }
  createLog('info').fatal({ event: 'start.failed', error }, 'could not start')
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
})

import { Engine } from '../engine.ts'
import { findDamagedTables, findLogDamage, isStore } from '../storage/files.ts'
import { checkStore } from './check.ts'
import { dump } from './dump.ts'
import { restore } from './restore.ts'

/** What can be done with a store that nobody serves. */
export type Tool =
  | { readonly kind: 'check' }
  | { readonly kind: 'dump'; readonly to: string }
  | { readonly kind: 'restore'; readonly from: string }

/** Runs a tool over a directory and says what it did; answers the process's exit code. */
export async function runTool(tool: Tool, directory: string, say: (line: string) => void): Promise<number> {
  try {
    if (tool.kind !== 'restore' && !(await isStore(directory))) {
      throw new Error(
        `${directory} holds no store: name the directory with --dir (DATA_DIR/db of an installation)`,
      )
    }
    switch (tool.kind) {
      case 'check':
        return await check(directory, say)
      case 'dump':
        await withEngine(directory, (engine) => dump(engine, tool.to, say))
        return 0
      case 'restore':
        await withEngine(directory, (engine) => restore(engine, tool.from, say))
        return 0
    }
  } catch (error) {
    say((error as Error).message)
    return 1
  }
}

async function withEngine<Result>(
  directory: string,
  work: (engine: Engine) => Promise<Result>,
): Promise<Result> {
  const engine = await Engine.open({ directory })
  try {
    return await work(engine)
  } finally {
    await engine.close()
  }
}

/** The files first, since what is read from a damaged one means nothing; then what they hold. */
async function check(directory: string, say: (line: string) => void): Promise<number> {
  let wrong = 0
  const report = (line: string) => {
    wrong++
    say(line)
  }
  for (const damage of await findLogDamage(directory)) report(damage)
  for await (const damage of findDamagedTables(directory)) report(damage)
  if (wrong > 0) {
    say(`${directory} is damaged: restore it from a backup.`)
    return 1
  }
  const { collections, documents, entries } = await withEngine(directory, (engine) =>
    checkStore(engine, report),
  )
  const looked = `${collections} collections, ${documents} documents, ${entries} index entries`
  say(
    wrong === 0
      ? `${directory} is sound: ${looked}.`
      : `${directory} is not sound: ${wrong} errors in ${looked}.`,
  )
  return wrong === 0 ? 0 : 1
}

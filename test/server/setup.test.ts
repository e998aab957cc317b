import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Agent } from '../../models/agent.ts'
import { Workspace } from '../../models/workspace.ts'
import { SystemClock } from '../../server/clock.ts'
import { readConfig } from '../../server/config.ts'
import { closeDatabase, openDatabase } from '../../server/database.ts'
import { firstAdmin, firstWorkspace } from '../../server/setup.ts'
import { ownDatabase } from '../support/world.ts'

const directory = mkdtempSync(join(tmpdir(), 'nexus-setup-'))
beforeAll(() => openDatabase(ownDatabase()))
afterAll(async () => {
  await closeDatabase()
  rmSync(directory, { recursive: true, force: true })
})

test('ten nodes that start at the same moment make one workspace and one admin, whose password one of them prints', async () => {
  const config = readConfig({ DATA_DIR: directory })
  const clock = new SystemClock()
  const starts = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const workspace = await firstWorkspace(clock)
      return { workspace: workspace._id, admin: await firstAdmin(workspace._id, config, clock) }
    }),
  )
  expect(await Workspace.countDocuments()).toBe(1)
  expect(new Set(starts.map(({ workspace }) => workspace)).size).toBe(1)
  expect(await Agent.countDocuments({ workspace: starts[0]?.workspace })).toBe(1)
  expect(starts.filter(({ admin }) => admin?.password)).toHaveLength(1)
})

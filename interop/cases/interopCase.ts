import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ClientKind, RunningClient, StartOptions } from '../clients/client.ts'
import { compareContent } from '../lib/compareContent.ts'
import { freePort } from '../lib/ports.ts'
import { killProcessesOf } from '../lib/processes.ts'
import type { TorrentFixture } from '../lib/torrentFixture.ts'

export interface InteropCase {
  readonly name: string
  readonly needs: readonly Requirement[]
  /** It has so long. Default a minute. */
  readonly timeoutMs?: number
  /** Throws when it fails; may return a remark for the case's line. */
  run(stage: Stage): Promise<string | undefined>
}

/** A program a case cannot do without. */
export interface Requirement {
  readonly name: string
  missing(): Promise<string | null>
  install(): Promise<void>
}

interface Stoppable {
  stop(): Promise<void>
}

/** Where one case plays: its directory, its fixtures and the programs it started. */
export class Stage {
  private readonly started: Stoppable[] = []

  constructor(
    readonly directory: string,
    private readonly fixtures: ReadonlyMap<string, TorrentFixture>,
  ) {
    mkdirSync(directory, { recursive: true })
  }

  fixture(name: string): TorrentFixture {
    const fixture = this.fixtures.get(name)
    if (fixture === undefined) throw new Error(`no content '${name}'`)
    return fixture
  }

  subdirectory(name: string): string {
    const path = join(this.directory, name)
    mkdirSync(path, { recursive: true })
    return path
  }

  /** A copy of the fixture's content, for a seed of its own. */
  seedDirectory(fixture: TorrentFixture): string {
    const path = join(this.directory, 'seed')
    cpSync(fixture.directory, path, { recursive: true })
    return path
  }

  async start(kind: ClientKind, options: Omit<StartOptions, 'port' | 'workDir'> & { port?: number }) {
    const port = options.port ?? (await freePort())
    const workDir = this.subdirectory(`${options.role}-${kind.name}`)
    return this.own(await kind.start({ ...options, port, workDir }))
  }

  /** Stops `stoppable` when the case ends, however it ends. */
  own<T extends Stoppable>(stoppable: T): T {
    this.started.push(stoppable)
    return stoppable
  }

  async close(): Promise<void> {
    await Promise.all(this.started.splice(0).map((stoppable) => stoppable.stop().catch(() => {})))
    // Those whose start failed have no owner here.
    await killProcessesOf(this.directory)
  }

  async closeAndRemove(): Promise<void> {
    await this.close()
    rmSync(this.directory, { recursive: true })
  }
}

export function addressOf(client: RunningClient) {
  return { host: '127.0.0.1', port: client.port }
}

/** Throws unless `savePath` holds exactly what `fixture` says. */
export function expectSameContent(fixture: TorrentFixture, savePath: string, by: ClientKind): void {
  const differences = compareContent(fixture, savePath, {
    emptyFilesMayBeMissing: by.leavesOutEmptyFiles,
    nothingElse: by.name === 'lt',
  })
  if (differences.length > 0) throw new Error(`${by.name}'s content differs: ${differences.slice(0, 5).join(', ')}`)
}

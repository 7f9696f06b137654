import { join } from 'node:path'
import { bdecode, bencode, type Entry, findKey, type Session, toEntry } from 'libtorrent-ts'
import { reasonOf } from '../cliError.ts'
import { makeDirectory } from '../makeDirectory.ts'
import type { Output } from '../output/output.ts'
import { readBounded } from '../readBounded.ts'
import { writeAtomically } from '../writeAtomically.ts'

/** The largest table has some hundred nodes, of 21 bytes at most. */
const MAX_BYTES = 256 * 1024
/** What is lost at most when the process is killed. */
const SAVE_INTERVAL_MS = 15 * 60_000
/** Lists of nodes in libtorrent's format; ids are left out: two commands at a time must not have the same one. */
const NODE_LISTS = ['nodes', 'nodes6'] as const

/**
 * The nodes of the DHT that were there when `lt` ended last, so that it need not begin with the public routers: a file in
 * lt's directory for what is kept between runs. It is a cache: whatever fails is warned of at most.
 */
export class DhtStateFile {
  private readonly path: string
  private timer: NodeJS.Timeout | null = null

  constructor(
    private readonly directory: string,
    private readonly output: Output,
  ) {
    this.path = join(directory, 'dht.state')
  }

  /** What `Session.startDht` takes; null when there is nothing that can be used. */
  async load(): Promise<Entry | null> {
    const bytes = await this.read()
    if (bytes === null) return null
    const decoded = bdecode(bytes)
    const state = decoded.ok && decoded.root.type === 'dict' ? nodesOf(toEntry(decoded.root)) : null
    if (state === null) this.output.warn(`${this.path} is damaged: it is not used, and replaced at the end.`)
    return state
  }

  /** Saves every so often. */
  keep(session: Session): void {
    this.timer = setInterval(() => void this.save(session), SAVE_INTERVAL_MS)
  }

  /** Saves for the last time; to be called before the session ends. Never rejects. */
  async finish(session: Session): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer)
    await this.save(session)
  }

  private async save(session: Session): Promise<void> {
    // Nobody there, nothing learnt.
    if (session.status().dhtNodes === 0) return
    const state = nodesOf(session.dhtState())
    if (state === null) return
    try {
      await makeDirectory(this.directory)
      await writeAtomically(this.path, bencode(state), `${this.path}.${process.pid}.tmp`)
    } catch (error) {
      this.output.trace(`${this.path}: ${reasonOf(error)}`)
    }
  }

  private async read(): Promise<Uint8Array | null> {
    try {
      return await readBounded(this.path, MAX_BYTES)
    } catch (error) {
      this.output.warn(`${this.path}: ${reasonOf(error)}`)
      return null
    }
  }
}

/** The lists of nodes of a state; null when there is none. */
function nodesOf(state: Entry | null): Entry | null {
  const lists: Record<string, Entry> = {}
  for (const name of NODE_LISTS) {
    const list = state === null ? undefined : findKey(state, name)
    if (Array.isArray(list) && list.length > 0) lists[name] = list
  }
  return Object.keys(lists).length === 0 ? null : lists
}

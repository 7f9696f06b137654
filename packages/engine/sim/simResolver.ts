import { addressToBytes } from '../src/address/addressBytes.ts'
import type { LibtorrentError } from '../src/errors/libtorrentError.ts'
import type { Resolver } from '../src/platform/resolver.ts'
import type { Millis } from '../src/util/flavored.ts'
import { simError } from './simErrors.ts'
import type { NameRecord, SimNames } from './simNames.ts'
import type { SimProcess, SimResource } from './simProcess.ts'

/** Name resolution as one program sees it, with a cache that obeys each record's time to live. */
export class SimResolver implements Resolver {
  private readonly cache = new Map<string, { readonly addresses: readonly string[]; readonly until: Millis }>()

  constructor(
    private readonly process: SimProcess,
    private readonly names: SimNames,
  ) {}

  resolve(host: string, done: (result: readonly string[] | LibtorrentError) => void): () => void {
    const { time } = this.process.network
    const name = host.startsWith('[') ? host.slice(1, -1) : host
    const known = addressToBytes(name) === null ? this.remembered(name) : [name]
    const record: NameRecord = known === null ? this.names.ask(name) : { answer: known, ttl: 0, delay: 0 }
    const cancel = () => {
      timer.cancel()
      this.process.release(lookup)
    }
    const lookup: SimResource = { kill: cancel, describe: () => host }
    const timer = time.after(record.delay, () => {
      this.process.release(lookup)
      if (typeof record.answer === 'string') return done(simError(record.answer, 'hostnameLookup'))
      if (record.ttl > 0) this.cache.set(name, { addresses: record.answer, until: time.now() + record.ttl * 1000 })
      done(record.answer)
    })
    this.process.adopt('lookup', lookup)
    return cancel
  }

  private remembered(name: string): readonly string[] | null {
    const entry = this.cache.get(name)
    return entry !== undefined && entry.until > this.process.now() ? entry.addresses : null
  }
}

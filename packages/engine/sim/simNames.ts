import type { Millis, Seconds } from '../src/util/flavored.ts'
import type { SimErrorCode } from './simErrors.ts'

/** How the name servers answer for a name. */
export interface NameOptions {
  /** How long a resolver may keep the answer, seconds. Default 300. */
  readonly ttl?: Seconds
  /** How long the name server takes, ms. Default 20. */
  readonly delay?: Millis
}

/** What the name servers say of one name. */
export interface NameRecord {
  readonly answer: readonly string[] | SimErrorCode
  readonly ttl: Seconds
  readonly delay: Millis
}

/** The world's host names. Unknown names fail with `ENOTFOUND`. */
export class SimNames {
  private readonly records = new Map<string, NameRecord>()
  private readonly asked = new Map<string, number>()

  /** `name` stands for these addresses from now on; what resolvers remember stays until its time is over. */
  set(name: string, addresses: string | readonly string[], options: NameOptions = {}): void {
    this.put(name, typeof addresses === 'string' ? [addresses] : addresses, options)
  }

  /** Asking for `name` fails from now on. */
  fail(name: string, code: SimErrorCode = 'EAI_AGAIN', options: NameOptions = {}): void {
    this.put(name, code, options)
  }

  remove(name: string): void {
    this.records.delete(name.toLowerCase())
  }

  /** How often name servers were asked for `name`: what a resolver knew by itself does not count. */
  queries(name: string): number {
    return this.asked.get(name.toLowerCase()) ?? 0
  }

  /** The name server's answer; counted. */
  ask(name: string): NameRecord {
    const key = name.toLowerCase()
    this.asked.set(key, this.queries(key) + 1)
    return this.records.get(key) ?? { answer: 'ENOTFOUND', ttl: 0, delay: 20 }
  }

  private put(name: string, answer: NameRecord['answer'], options: NameOptions): void {
    this.records.set(name.toLowerCase(), { answer, ttl: options.ttl ?? 300, delay: options.delay ?? 20 })
  }
}

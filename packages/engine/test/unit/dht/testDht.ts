import { SeededRandom } from '../../../sim/seededRandom.ts'
import { VirtualTime } from '../../../sim/virtualTime.ts'
import type { Endpoint } from '../../../src/address/endpoint.ts'
import { bencode } from '../../../src/bencode/bencode.ts'
import { bdecodeEntry, type Entry } from '../../../src/bencode/entry.ts'
import { Dht } from '../../../src/dht/dht.ts'
import type { DhtHost } from '../../../src/dht/dhtHost.ts'
import type { DhtNode } from '../../../src/dht/dhtNode.ts'
import { type DhtSettings, defaultDhtSettings } from '../../../src/dht/dhtSettings.ts'
import type { DhtState } from '../../../src/dht/dhtState.ts'
import { contactOf } from '../../../src/dht/nodeContact.ts'
import { fromLatin1, latin1 } from '../../../src/util/bytes.ts'

type Dict = ReadonlyMap<string, Entry>

/** What a DHT under test sent. */
export interface Sent {
  readonly to: Endpoint
  readonly bytes: Uint8Array
  readonly message: Dict
}

export interface TestDhtOptions {
  readonly local?: Endpoint
  readonly settings?: Partial<DhtSettings>
  readonly host?: Partial<DhtHost>
  readonly state?: DhtState
}

/** One DHT with one node, whose packets are caught, in virtual time. */
export class TestDht {
  readonly time = new VirtualTime()
  readonly random = new SeededRandom(7)
  readonly settings: DhtSettings
  readonly sent: Sent[] = []
  readonly dht: Dht
  readonly node: DhtNode

  constructor(options: TestDhtOptions = {}) {
    this.settings = {
      ...defaultDhtSettings,
      dhtUploadRateLimit: 10_000_000,
      dhtBlockRatelimit: 1e9,
      ...options.settings,
    }
    const host = { clock: this.time, timers: this.time, random: this.random, settings: this.settings, ...options.host }
    this.dht = new Dht(host, options.state)
    this.node = this.addSocket(options.local ?? { address: '51.0.0.1', port: 6881 })
    this.dht.start()
  }

  addSocket(local: Endpoint): DhtNode {
    return this.dht.addSocket({
      local,
      send: (packet, to) => {
        const bytes = new Uint8Array(packet)
        this.sent.push({ to, bytes, message: bdecodeEntry(bytes) as Dict })
      },
    })
  }

  /** Puts a node that has answered into the table. */
  know(id: Uint8Array, endpoint: Endpoint): void {
    this.node.table.nodeSeen(id, contactOf(endpoint)!, 50)
  }

  /** Sends raw bytes to the node and returns what it answers, or null. */
  receive(bytes: Uint8Array, from: Endpoint, node: DhtNode = this.node): Sent | null {
    const before = this.sent.length
    node.incoming(bytes, from)
    return this.sent[before] ?? null
  }

  /** Asks the node a question; the answer's `r`, or its error code and text. */
  ask(method: string, args: Record<string, Entry>, from: Endpoint, top: Record<string, Entry> = {}): Answer {
    const id = this.random.bytes(20)
    const query = bencode({ a: { id, ...args }, q: method, t: 'aa', v: 'LT20', y: 'q', ...top })
    const sent = this.receive(query, from)
    return new Answer(sent, query.length)
  }

  /** Answers the question in a packet that was sent; `from` is who was asked. */
  answer(question: Sent, values: Record<string, Entry>, top: Record<string, Entry> = {}): void {
    const t = question.message.get('t')!
    this.node.incoming(bencode({ r: values, t, y: 'r', ...top }), question.to)
  }

  /** Questions sent so far, taken out. */
  takeQuestions(method?: string): Sent[] {
    const taken = this.sent.filter(({ message }) => text(message.get('y')) === 'q')
    this.sent.length = 0
    return method === undefined ? taken : taken.filter(({ message }) => text(message.get('q')) === method)
  }
}

/** An answer, or that there was none. */
export class Answer {
  constructor(
    readonly sent: Sent | null,
    readonly questionSize: number,
  ) {}

  get values(): Dict {
    return this.sent!.message.get('r') as Dict
  }

  bytes(key: string): Uint8Array | null {
    return (this.values.get(key) as Uint8Array | undefined) ?? null
  }

  /** `[code, message]`, or null when it is no error. */
  get error(): [number, string] | null {
    const error = this.sent?.message.get('e') as readonly Entry[] | undefined
    return error === undefined ? null : [error[0] as number, text(error[1])]
  }

  get size(): number {
    return this.sent?.bytes.length ?? 0
  }
}

export function text(entry: Entry | undefined): string {
  return entry instanceof Uint8Array ? latin1(entry) : ''
}

/** A compact endpoint. */
export function compact(address: string, port: number): Uint8Array {
  return contactOf({ address, port })!.compact
}

/** 20 bytes. */
export function idOf(letters: string): Uint8Array {
  return fromLatin1(letters.padEnd(20, ' ').slice(0, 20))
}

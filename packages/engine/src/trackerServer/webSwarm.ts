import type { Random } from '../platform/random.ts'
import type { Millis } from '../util/flavored.ts'

/** A peer of one torrent that is introduced by WebSocket. `Client` is the connection it came by. */
export class WebMember<Client> {
  /** Where it is in its list. */
  position = -1

  constructor(
    readonly swarm: WebSwarm<Client>,
    readonly client: Client,
    readonly peerId: string,
    public isSeed: boolean,
    /** When it last announced. */
    public heard: Millis,
  ) {}
}

/** The peers of one torrent that are introduced by WebSocket: they have no addresses, only connections to us. */
export class WebSwarm<Client> {
  /** Downloads finished, as announced. */
  downloaded = 0
  private readonly members = new Map<string, WebMember<Client>>()
  private readonly lists: Record<'seeds' | 'downloaders', WebMember<Client>[]> = { seeds: [], downloaders: [] }

  constructor(
    /** One character per byte. */
    readonly infoHash: string,
  ) {}

  get size(): number {
    return this.members.size
  }

  get seeds(): number {
    return this.lists.seeds.length
  }

  get downloaders(): number {
    return this.lists.downloaders.length
  }

  find(peerId: string): WebMember<Client> | null {
    return this.members.get(peerId) ?? null
  }

  add(member: WebMember<Client>): void {
    this.members.set(member.peerId, member)
    this.enlist(member)
  }

  remove(member: WebMember<Client>): void {
    if (this.find(member.peerId) !== member) return
    this.members.delete(member.peerId)
    this.delist(member)
  }

  setSeed(member: WebMember<Client>, isSeed: boolean): void {
    if (member.isSeed === isSeed) return
    this.delist(member)
    member.isSeed = isSeed
    this.enlist(member)
  }

  /** Any of its members; null when there is none. */
  random(random: Random): WebMember<Client> | null {
    if (this.size === 0) return null
    const index = random.below(this.size)
    const { seeds, downloaders } = this.lists
    return index < seeds.length ? seeds[index] : downloaders[index - seeds.length]
  }

  /**
   * Up to `wanted` others by chance, each once: those that `asker` can use, which for a seed are no seeds. Takes time
   * by how many are wanted only.
   */
  pick(asker: WebMember<Client>, wanted: number, random: Random): WebMember<Client>[] {
    const { seeds, downloaders } = this.lists
    const total = asker.isSeed ? downloaders.length : this.size - 1
    const picked = new Set<number>()
    // Floyd's way to a random sample.
    for (let last = Math.max(0, total - wanted); last < total; last++) {
      const any = random.below(last + 1)
      picked.add(picked.has(any) ? last : any)
    }
    return Array.from(picked, (each) => {
      if (asker.isSeed) return downloaders[each]
      const index = each < asker.position ? each : each + 1
      return index < downloaders.length ? downloaders[index] : seeds[index - downloaders.length]
    })
  }

  private enlist(member: WebMember<Client>): void {
    member.position = this.listOf(member).push(member) - 1
  }

  private delist(member: WebMember<Client>): void {
    const list = this.listOf(member)
    const last = list.pop()
    if (last === undefined || last === member) return
    list[member.position] = last
    last.position = member.position
  }

  private listOf(member: WebMember<Client>): WebMember<Client>[] {
    return member.isSeed ? this.lists.seeds : this.lists.downloaders
  }
}

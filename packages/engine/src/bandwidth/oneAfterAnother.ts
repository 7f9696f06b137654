import type { BandwidthUser } from './bandwidthUser.ts'

/**
 * Users that need a whole block before they can go on would all save for it at the same pace, and go on at the same moment:
 * fifty blocks at once, then nothing for seconds. So those who wait for the same channels put what they have together, and
 * whoever is nearest to having enough by what is due to it (`assigned + balance`, which stays as it is) gets it first, as
 * far as its other channels let it. Who gets more than its due owes it, and is later next time.
 */
export function oneAfterAnother(users: readonly BandwidthUser[]): void {
  for (const group of sharingChannels(users).values()) {
    if (group.length > 1) divide(group)
  }
}

/** Those who lack something, by the channels they wait for: of theirs, those that are used up. */
function sharingChannels(users: readonly BandwidthUser[]): Map<string, BandwidthUser[]> {
  const groups = new Map<string, BandwidthUser[]>()
  for (const user of users) {
    if (user.least <= 1 || user.assigned >= user.least) continue
    const key = keyOf(user)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [user])
    else group.push(user)
  }
  groups.delete('')
  return groups
}

function keyOf({ channels }: BandwidthUser): string {
  let key = ''
  for (const channel of channels) {
    channel.holdsBack = channel.isUsedUp
    if (channel.holdsBack) key += `${channel.id},`
  }
  return key
}

function divide(group: BandwidthUser[]): void {
  group.sort((a, b) => lacking(a) - lacking(b))
  let left = 0
  for (const { assigned } of group) left += assigned
  for (const user of group) {
    // All lacked something: there is less than all need.
    const given = Math.min(left, user.least, user.assigned + roomOf(user))
    const more = given - user.assigned
    for (const channel of user.channels) if (!channel.holdsBack) channel.use(more)
    user.balance -= more
    user.assigned = given
    left -= given
  }
  for (const channel of group[0].channels) if (channel.holdsBack) channel.giveBack(left)
}

/** What it may have beyond what it was given, as far as channels are concerned that it does not wait for. */
function roomOf({ channels }: BandwidthUser): number {
  let room = Number.POSITIVE_INFINITY
  for (const channel of channels) if (!channel.holdsBack) room = Math.min(room, Math.max(0, channel.quota))
  return room
}

/** How far it is from its due, in rounds of no particular length. */
function lacking({ least, assigned, balance, host }: BandwidthUser): number {
  return (least - assigned - balance) / host.bandwidthPriority
}

import type { BandwidthUser } from './bandwidthUser.ts'

/**
 * Users that need a whole block before they can go on would all save for it at the same pace, and go on at the same moment:
 * fifty blocks at once, then nothing for seconds. So those who wait for the same channels put what they have together, and
 * whoever is nearest to having enough by what is due to it (`assigned + balance`, which stays as it is) gets it first. Who
 * gets more than its due owes it, and is later next time.
 */
export function oneAfterAnother(users: readonly BandwidthUser[]): void {
  for (const group of sharingChannels(users).values()) {
    if (group.length > 1) divide(group)
  }
}

/** Those who lack something, by the channels they wait for. */
function sharingChannels(users: readonly BandwidthUser[]): Map<string, BandwidthUser[]> {
  const groups = new Map<string, BandwidthUser[]>()
  for (const user of users) {
    if (user.least <= 1 || user.assigned >= user.least || user.channels.length === 0) continue
    const key = user.channels.map(({ id }) => id).join()
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [user])
    else group.push(user)
  }
  return groups
}

function divide(group: BandwidthUser[]): void {
  group.sort((a, b) => lacking(a) - lacking(b))
  let left = 0
  for (const { assigned } of group) left += assigned
  for (const user of group) {
    // All lacked something: there is less than all need.
    const given = Math.min(left, user.least)
    user.balance += user.assigned - given
    user.assigned = given
    left -= given
  }
}

/** How far it is from its due, in rounds of no particular length. */
function lacking({ least, assigned, balance, host }: BandwidthUser): number {
  return (least - assigned - balance) / host.bandwidthPriority
}

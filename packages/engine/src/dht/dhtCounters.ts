/** What went over the line, for status and statistics. Bytes without IP and UDP headers. */
export class DhtCounters {
  bytesIn = 0
  bytesOut = 0
  messagesIn = 0
  messagesOut = 0
  /** Not read, or not answered: blocked senders, no quota, no message. */
  messagesInDropped = 0
  messagesOutDropped = 0
}

/** The command `lt`. bin/lt.js calls `main`. */
export { main } from './main.ts'

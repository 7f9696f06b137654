// `npm start`: runs lt where the user is. npm itself goes to the directory of package.json, so that paths given from
// elsewhere (`npm --prefix CHECKOUT start -- create holiday/`, or from a folder below) would mean something else.
process.chdir(process.env.INIT_CWD ?? process.cwd())
await import('../packages/app/bin/lt.js')

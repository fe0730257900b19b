export { DamagedDatabase } from './damaged-database.ts';
export { examineDatabase } from './examine.ts';
export { NO_TABLES, type TableScrub, scrubTables } from './scrub-tables.ts';

export { DamagedDatabase } from './damaged-database.ts';
export { examineDatabase } from './examine.ts';

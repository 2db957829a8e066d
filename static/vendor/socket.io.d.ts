export const io: any;

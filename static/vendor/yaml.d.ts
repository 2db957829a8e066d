export const isMap: any;
export const isPair: any;
export const isScalar: any;
export const isSeq: any;
export const parseAllDocuments: any;
export const visit: any;

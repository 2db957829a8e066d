export const FitAddon: any;
export const Terminal: any;

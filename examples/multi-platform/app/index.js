console.log("Hello from everywhere");

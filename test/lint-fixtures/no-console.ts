console.log("a library does not print");
